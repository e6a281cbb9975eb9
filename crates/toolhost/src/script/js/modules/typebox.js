// @sinclair/typebox: the builder. A schema is plain JSON Schema; that a property is optional is kept beside it.
const OPTIONAL = Symbol.for("TypeBox.Optional");
const KIND = Symbol.for("TypeBox.Kind");
const mark = (schema, symbol, value) => Object.defineProperty(schema, symbol, { value, enumerable: false, configurable: true });
const make = (kind, schema, options) => mark({ ...schema, ...options }, KIND, kind);
const copy = (schema, changes = {}) => {
  const made = mark({ ...schema, ...changes }, KIND, schema[KIND]);
  return schema[OPTIONAL] ? mark(made, OPTIONAL, true) : made;
};
const literalsOf = (schema) => (schema.anyOf ? schema.anyOf.flatMap(literalsOf) : [schema.const]);
const object = (properties, options) => {
  const required = Object.keys(properties).filter((name) => !properties[name][OPTIONAL]);
  return make("Object", { type: "object", ...(required.length > 0 ? { required } : {}), properties }, options);
};
const keysOf = (keys) => (Array.isArray(keys) ? keys : literalsOf(keys)).map(String);
const rest = ({ type, required, properties, ...options }) => options;
const optional = (schema) => mark(copy(schema), OPTIONAL, true);

export const Type = {
  Any: (options) => make("Any", {}, options),
  Unknown: (options) => make("Unknown", {}, options),
  Never: (options) => make("Never", { not: {} }, options),
  Null: (options) => make("Null", { type: "null" }, options),
  Undefined: (options) => make("Undefined", { type: "undefined" }, options),
  Void: (options) => make("Void", { type: "void" }, options),
  Boolean: (options) => make("Boolean", { type: "boolean" }, options),
  Number: (options) => make("Number", { type: "number" }, options),
  Integer: (options) => make("Integer", { type: "integer" }, options),
  String: (options) => make("String", { type: "string" }, options),
  RegExp: (pattern, options) => make("String", { type: "string", pattern: pattern.source ?? pattern }, options),
  Literal: (value, options) => make("Literal", { const: value, type: typeof value }, options),
  Array: (items, options) => make("Array", { type: "array", items }, options),
  Tuple: (items, options) => make("Tuple", { type: "array", items, additionalItems: false, minItems: items.length, maxItems: items.length }, options),
  Object: object,
  Record: (key, value, options) => {
    if (key.anyOf || "const" in key) return object(Object.fromEntries(literalsOf(key).map((name) => [name, value])), options);
    return make("Record", { type: "object", patternProperties: { [key.pattern ?? "^(.*)$"]: value } }, options);
  },
  Union: (schemas, options) => (schemas.length === 1 ? copy(schemas[0], options) : make("Union", { anyOf: schemas }, options)),
  Intersect: (schemas, options) => make("Intersect", { type: "object", allOf: schemas }, options),
  Enum: (values, options) => {
    const wanted = Object.keys(values).filter((name) => Number.isNaN(Number(name))).map((name) => values[name]);
    return make("Union", { anyOf: [...new Set(wanted)].map((value) => Type.Literal(value)) }, options);
  },
  Optional: (schema) => optional(schema),
  Required: (schema, options) => make("Object", { ...schema, required: Object.keys(schema.properties), properties: Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, make(property[KIND], property)])) }, options),
  Readonly: (schema) => schema,
  ReadonlyOptional: (schema) => optional(schema),
  Unsafe: (schema = {}) => make("Unsafe", schema),
  Partial: (schema, options) => object(Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, optional(property)])), { ...rest(schema), ...options }),
  Pick: (schema, keys, options) => object(Object.fromEntries(keysOf(keys).filter((name) => name in schema.properties).map((name) => [name, schema.properties[name]])), { ...rest(schema), ...options }),
  Omit: (schema, keys, options) => object(Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !keysOf(keys).includes(name))), { ...rest(schema), ...options }),
  Composite: (schemas, options) => object(Object.assign({}, ...schemas.map((schema) => schema.properties)), options),
  KeyOf: (schema, options) => Type.Union(Object.keys(schema.properties).map((name) => Type.Literal(name)), options),
  Ref: (schema, options) => make("Ref", { $ref: typeof schema === "string" ? schema : schema.$id }, options),
  Date: (options) => make("String", { type: "string", format: "date-time" }, options),
};
export const Kind = KIND;
export const OptionalKind = OPTIONAL;
export default { Type, Kind };
