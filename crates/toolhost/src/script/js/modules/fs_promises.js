// node:fs/promises.
import { promises } from "node:fs";
export const { readFile, writeFile, appendFile, mkdir, readdir, stat, lstat, access, unlink, rm, rmdir, rename, copyFile, mkdtemp, constants } = promises;
export default promises;
