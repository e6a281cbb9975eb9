// @mariozechner/pi-coding-agent: the helpers that tools import. Types are gone before they get here.
export const DEFAULT_MAX_LINES = 2000;
export const DEFAULT_MAX_BYTES = 50 * 1024;
const length = (text) => new TextEncoder().encode(text).length;
const truncate = (content, { maxLines = DEFAULT_MAX_LINES, maxBytes = DEFAULT_MAX_BYTES } = {}, fromEnd) => {
  const lines = content.split("\n");
  const totalBytes = length(content);
  const result = { totalLines: lines.length, totalBytes, maxLines, maxBytes, lastLinePartial: false, firstLineExceedsLimit: false };
  if (lines.length <= maxLines && totalBytes <= maxBytes) return { ...result, content, truncated: false, truncatedBy: null, outputLines: lines.length, outputBytes: totalBytes };
  const kept = [];
  let bytes = 0, truncatedBy = "lines";
  for (const line of fromEnd ? lines.toReversed() : lines) {
    const size = length(line) + (kept.length > 0 ? 1 : 0);
    if (kept.length === maxLines) break;
    if (bytes + size > maxBytes) { truncatedBy = "bytes"; break; }
    kept.push(line);
    bytes += size;
  }
  const text = (fromEnd ? kept.reverse() : kept).join("\n");
  return { ...result, content: text, truncated: true, truncatedBy, outputLines: kept.length, outputBytes: bytes, firstLineExceedsLimit: !fromEnd && kept.length === 0 };
};
export const truncateHead = (content, options) => truncate(content, options, false);
export const truncateTail = (content, options) => truncate(content, options, true);
export const truncateLine = (line, maxChars = 500) => (line.length <= maxChars ? { text: line, wasTruncated: false } : { text: `${line.slice(0, maxChars)}... [truncated]`, wasTruncated: true });
export const formatSize = (bytes) => (bytes < 1024 ? `${bytes}B` : bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)}KB` : `${(bytes / (1024 * 1024)).toFixed(1)}MB`);
export const defineTool = (tool) => tool;
export const isToolCallEventType = (name, event) => event?.toolName === name;
const is = (name) => (event) => event?.toolName === name;
export const isBashToolResult = is("bash"), isReadToolResult = is("read"), isEditToolResult = is("edit"), isWriteToolResult = is("write");
export const isGrepToolResult = is("grep"), isFindToolResult = is("find"), isLsToolResult = is("ls");
export const getAgentDir = () => `${process.cwd()}/.pi`;
export const withFileMutationQueue = async (path, work) => await work();
const unavailable = (name) => () => { throw new Error(`${name} of @mariozechner/pi-coding-agent is not available in the tool runtime`); };
export const createBashTool = unavailable("createBashTool"), createReadTool = unavailable("createReadTool"), createEditTool = unavailable("createEditTool");
export const createWriteTool = unavailable("createWriteTool"), createGrepTool = unavailable("createGrepTool"), createFindTool = unavailable("createFindTool");
export const createLsTool = unavailable("createLsTool"), createAgentSession = unavailable("createAgentSession");
export const keyHint = () => "", highlightCode = (code) => code.split("\n"), getMarkdownTheme = () => ({});
