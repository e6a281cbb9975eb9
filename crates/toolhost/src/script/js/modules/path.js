// node:path for POSIX.
const check = (path) => {
  if (typeof path !== "string") throw new TypeError('The "path" argument must be of type string');
  return path;
};
const parts = (path, absolute) => {
  const kept = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!absolute) kept.push("..");
  }
  return kept.join("/");
};
export const sep = "/";
export const delimiter = ":";
export const isAbsolute = (path) => check(path).startsWith("/");
export const normalize = (path) => {
  const absolute = isAbsolute(path);
  const clean = parts(path, absolute);
  const trailing = path.endsWith("/") && clean !== "" ? "/" : "";
  return absolute ? `/${clean}${trailing}` : clean === "" ? (path.endsWith("/") && path !== "" ? "./" : ".") : clean + trailing;
};
export const join = (...paths) => {
  const given = paths.map(check).filter((path) => path !== "");
  return given.length === 0 ? "." : normalize(given.join("/"));
};
export const resolve = (...paths) => {
  let resolved = "";
  for (const path of [process.cwd(), ...paths.map(check)]) {
    if (path !== "") resolved = path.startsWith("/") ? path : `${resolved}/${path}`;
  }
  return `/${parts(resolved, true)}`;
};
export const relative = (from, to) => {
  const start = resolve(from).split("/").filter(Boolean), end = resolve(to).split("/").filter(Boolean);
  let common = 0;
  while (common < start.length && common < end.length && start[common] === end[common]) common += 1;
  return [...start.slice(common).map(() => ".."), ...end.slice(common)].join("/");
};
const trim = (path) => (path.length > 1 ? path.replace(/\/+$/, "") || "/" : path);
export const dirname = (path) => {
  const trimmed = trim(check(path));
  const at = trimmed.lastIndexOf("/");
  return at < 0 ? "." : at === 0 ? "/" : trimmed.slice(0, at).replace(/\/+$/, "") || "/";
};
export const basename = (path, suffix) => {
  const name = trim(check(path)).split("/").at(-1);
  return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
};
export const extname = (path) => {
  const name = basename(path);
  const at = name.lastIndexOf(".");
  return at <= 0 || name === ".." ? "" : name.slice(at);
};
export const parse = (path) => {
  const root = isAbsolute(path) ? "/" : "";
  const base = basename(path), ext = extname(path), dir = dirname(path);
  return { root, dir: dir === "." && !path.startsWith(".") ? root : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
};
export const format = ({ root = "", dir, base, name = "", ext = "" }) => {
  const file = base ?? `${name}${ext && !ext.startsWith(".") ? "." : ""}${ext}`;
  return dir ? (dir === root ? `${dir}${file}` : `${dir}/${file}`) : `${root}${file}`;
};
export const toNamespacedPath = (path) => path;
export const posix = { sep, delimiter, isAbsolute, normalize, join, resolve, relative, dirname, basename, extname, parse, format, toNamespacedPath };
posix.posix = posix;
export default posix;
