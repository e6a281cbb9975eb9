// node:url.
const { URL, URLSearchParams } = globalThis;
export { URL, URLSearchParams };
export const fileURLToPath = (url) => {
  const parsed = typeof url === "string" ? new URL(url) : url;
  if (parsed.protocol !== "file:") throw new TypeError("The URL must be of scheme file");
  return decodeURIComponent(parsed.pathname);
};
export const pathToFileURL = (path) => {
  const url = new URL("file:///");
  url.pathname = (path.startsWith("/") ? path : `${process.cwd()}/${path}`).replace(/%/g, "%25").replace(/\?/g, "%3F").replace(/#/g, "%23");
  return url;
};
export const format = (url) => (url instanceof URL ? url.href : new URL(String(url)).href);
export const domainToASCII = (domain) => (URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`).hostname : "");
export default { URL, URLSearchParams, fileURLToPath, pathToFileURL, format, domainToASCII };
