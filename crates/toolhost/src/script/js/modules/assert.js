// node:assert, in its strict form.
import { isDeepStrictEqual, inspect } from "node:util";
export class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message);
    Object.assign(this, { name: "AssertionError", code: "ERR_ASSERTION", actual, expected, operator });
  }
}
const check = (holds, message, operator, actual, expected) => {
  if (holds) return;
  if (message instanceof Error) throw message;
  throw new AssertionError({ message: message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`, actual, expected, operator });
};
const assert = (value, message) => check(value, message ?? "The expression evaluated to a falsy value", "==", value, true);
export const ok = assert;
export const equal = (actual, expected, message) => check(Object.is(actual, expected), message, "strictEqual", actual, expected);
export const notEqual = (actual, expected, message) => check(!Object.is(actual, expected), message, "notStrictEqual", actual, expected);
export const deepEqual = (actual, expected, message) => check(isDeepStrictEqual(actual, expected), message, "deepStrictEqual", actual, expected);
export const notDeepEqual = (actual, expected, message) => check(!isDeepStrictEqual(actual, expected), message, "notDeepStrictEqual", actual, expected);
export const match = (text, pattern, message) => check(pattern.test(text), message, "match", text, pattern);
export const fail = (message = "Failed") => check(false, message, "fail");
const fits = (error, expected) => {
  if (expected === undefined || typeof expected === "string") return true;
  if (expected instanceof RegExp) return expected.test(String(error));
  if (typeof expected === "function") return expected.prototype && error instanceof expected ? true : Error.isPrototypeOf(expected) ? false : expected(error) === true;
  return Object.entries(expected).every(([name, value]) => (value instanceof RegExp ? value.test(error[name]) : isDeepStrictEqual(error[name], value)));
};
export const throws = (work, expected, message) => {
  try {
    work();
  } catch (error) {
    if (!fits(error, expected)) throw error;
    return;
  }
  check(false, message ?? "Missing expected exception.", "throws");
};
export const rejects = async (work, expected, message) => {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (!fits(error, expected)) throw error;
    return;
  }
  check(false, message ?? "Missing expected rejection.", "rejects");
};
export const strictEqual = equal, notStrictEqual = notEqual, deepStrictEqual = deepEqual, notDeepStrictEqual = notDeepEqual;
Object.assign(assert, { AssertionError, ok, equal, notEqual, deepEqual, notDeepEqual, strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual, match, fail, throws, rejects, strict: assert });
export const strict = assert;
export default assert;
