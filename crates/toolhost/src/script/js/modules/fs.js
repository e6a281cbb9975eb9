// node:fs inside the workspace: the synchronous functions; the callback ones on top.
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
const { host, internal } = globalThis[Symbol.for("appstrate.tool.runtime")];
const toPath = (path) => {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path === "string") return path.toWellFormed();
  if (path instanceof Uint8Array) return internal.decodeUtf8(path);
  throw new TypeError('The "path" argument must be of type string, Buffer or URL');
};
const encodingOf = (options) => (typeof options === "string" ? options : options?.encoding);
const toBytes = (data, options) => {
  const bytes = typeof data === "string" ? Buffer.from(data, encodingOf(options) ?? "utf8") : internal.toBytes(data);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};
class Stats {
  constructor([kind, size, mtimeMs, mode]) {
    Object.assign(this, { size, mtimeMs, atimeMs: mtimeMs, ctimeMs: mtimeMs, birthtimeMs: mtimeMs, mode, mtime: new Date(mtimeMs), ctime: new Date(mtimeMs), atime: new Date(mtimeMs), birthtime: new Date(mtimeMs), uid: 1000, gid: 1000, nlink: 1 });
    Object.defineProperty(this, "kind", { value: kind, enumerable: false });
  }
  isFile() { return this.kind === "file"; }
  isDirectory() { return this.kind === "directory"; }
  isSymbolicLink() { return this.kind === "link"; }
  isFIFO() { return false; }
  isSocket() { return false; }
}
class Dirent {
  constructor(name, kind, parentPath) {
    Object.assign(this, { name, parentPath, path: parentPath });
    Object.defineProperty(this, "kind", { value: kind, enumerable: false });
  }
  isFile() { return this.kind === "file"; }
  isDirectory() { return this.kind === "directory"; }
  isSymbolicLink() { return this.kind === "link"; }
}
export const readFileSync = (path, options) => {
  const encoding = encodingOf(options);
  const bytes = host.readFile(toPath(path));
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return encoding && encoding !== "buffer" ? buffer.toString(encoding) : buffer;
};
export const writeFileSync = (path, data, options) => {
  const flag = options?.flag ?? "w";
  host.writeFile(toPath(path), toBytes(data, options), flag.startsWith("a") ? "a" : flag.includes("x") ? "wx" : "w");
};
export const appendFileSync = (path, data, options) => { host.writeFile(toPath(path), toBytes(data, options), "a"); };
export const mkdirSync = (path, options) => { host.mkdir(toPath(path), options?.recursive === true); };
export const readdirSync = (path, options) => {
  const root = toPath(path);
  const list = (directory, prefix) => {
    const flat = host.readdir(directory);
    const found = [];
    for (let at = 0; at < flat.length; at += 2) {
      const [name, kind] = [flat[at], flat[at + 1]];
      found.push(options?.withFileTypes ? new Dirent(name, kind, directory) : `${prefix}${name}`);
      if (options?.recursive && kind === "directory") found.push(...list(`${directory}/${name}`, `${prefix}${name}/`));
    }
    return found;
  };
  return list(root, "");
};
const stats = (path, options, follow) => {
  try {
    return new Stats(host.stat(toPath(path), follow));
  } catch (error) {
    if (options?.throwIfNoEntry === false && error.code === "ENOENT") return undefined;
    throw error;
  }
};
export const statSync = (path, options) => stats(path, options, true);
export const lstatSync = (path, options) => stats(path, options, false);
export const accessSync = (path) => { host.stat(toPath(path), true); };
export const existsSync = (path) => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};
export const unlinkSync = (path) => { host.unlink(toPath(path)); };
export const rmSync = (path, options) => { host.rm(toPath(path), options?.recursive === true, options?.force === true); };
export const rmdirSync = (path, options) => {
  if (!options?.recursive && readdirSync(path).length > 0) throw Object.assign(new Error(`ENOTEMPTY: directory not empty, rmdir '${path}'`), { code: "ENOTEMPTY" });
  host.rm(toPath(path), true, false);
};
export const renameSync = (from, to) => { host.rename(toPath(from), toPath(to)); };
export const copyFileSync = (from, to) => { host.copyFile(toPath(from), toPath(to)); };
export const mkdtempSync = (prefix) => {
  const path = `${toPath(prefix)}${internal.randomUUID().slice(0, 6)}`;
  mkdirSync(path);
  return path;
};
export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1 };

const sync = {
  readFile: readFileSync, writeFile: writeFileSync, appendFile: appendFileSync, mkdir: mkdirSync, readdir: readdirSync, stat: statSync, lstat: lstatSync,
  access: accessSync, unlink: unlinkSync, rm: rmSync, rmdir: rmdirSync, rename: renameSync, copyFile: copyFileSync, mkdtemp: mkdtempSync,
};
export const promises = { constants };
for (const [name, call] of Object.entries(sync)) promises[name] = async (...args) => call(...args);
const withCallback = (call) => (...args) => {
  const callback = args.pop();
  if (typeof callback !== "function") throw new TypeError('The "callback" argument must be of type function');
  promises[call](...args).then((value) => callback(null, value), (error) => callback(error));
};
export const readFile = withCallback("readFile"), writeFile = withCallback("writeFile"), appendFile = withCallback("appendFile");
export const mkdir = withCallback("mkdir"), readdir = withCallback("readdir"), stat = withCallback("stat"), lstat = withCallback("lstat");
export const access = withCallback("access"), unlink = withCallback("unlink"), rm = withCallback("rm"), rename = withCallback("rename"), copyFile = withCallback("copyFile");
export default {
  readFileSync, writeFileSync, appendFileSync, mkdirSync, readdirSync, statSync, lstatSync, accessSync, existsSync, unlinkSync, rmSync, rmdirSync, renameSync,
  copyFileSync, mkdtempSync, constants, promises, readFile, writeFile, appendFile, mkdir, readdir, stat, lstat, access, unlink, rm, rename, copyFile,
};
