mod change;
mod create;
mod list;
mod revoke;
