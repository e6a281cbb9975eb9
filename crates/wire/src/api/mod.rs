//! Bodies of the HTTP API, one file per resource, camelCase on the wire.
