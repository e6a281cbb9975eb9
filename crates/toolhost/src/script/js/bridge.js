// What Rust calls: load the package, run a tool, abort it, deliver timers and responses.
(function (host, internal, extension) {
  "use strict";
  const tools = new Map();
  const running = new Map();

  const failure = (error) => {
    if (error === null || error === undefined) return `the tool threw ${error}; it may have run out of memory`;
    const cause = error instanceof Error && error.cause instanceof Error && !error.message.includes(error.cause.message) ? ` (${internal.describe(error.cause)})` : "";
    return `${internal.describe(error)}${cause}`.toWellFormed();
  };
  // Half a surrogate pair is valid in JavaScript and nowhere else; JSON.stringify escapes exactly those.
  const toJson = (value) => JSON.stringify(value).replace(/(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, "$1\\ufffd");

  const toBlock = (block) => {
    if (typeof block === "string") return { type: "text", text: block };
    if (block?.type === "text" && typeof block.text === "string") return { type: "text", text: block.text };
    if (block?.type === "image" && typeof block.data === "string") return { type: "image", data: block.data, mimeType: String(block.mimeType ?? "image/png") };
    return { type: "text", text: JSON.stringify(block) ?? String(block) };
  };
  const toBlocks = (content) => (Array.isArray(content) ? content : content == null ? [] : [content]).map(toBlock);
  const toDetails = (details) => {
    if (details === undefined) return undefined;
    try {
      const text = JSON.stringify(details);
      return text === undefined ? undefined : JSON.parse(text);
    } catch {
      internal.line("The details of the result are no JSON and were left out.");
      return undefined;
    }
  };
  // Pi: { content, details, isError }. AFPS: a string or any object.
  const toOutcome = (result) => {
    if (typeof result === "object" && result !== null && "content" in result && (Array.isArray(result.content) || typeof result.content === "string")) {
      return { content: toBlocks(result.content), details: toDetails(result.details), is_error: result.isError === true };
    }
    if (result === undefined || result === null) return { content: [], is_error: false };
    if (typeof result === "object") return { content: [{ type: "text", text: JSON.stringify(result) }], details: toDetails(result), is_error: result.isError === true };
    return { content: [{ type: "text", text: String(result) }], is_error: false };
  };

  // AFPS: execute(params). Pi: execute(toolCallId, params, signal, onUpdate, ctx). A destructured first parameter can only be the params.
  const takesOnlyParams = (execute) =>
    execute.length === 1 || (execute.length === 0 && /^\s*(?:async\b)?\s*(?:function\b)?\s*\*?\s*[\w$]*\s*\(\s*\{/.test(Function.prototype.toString.call(execute)));

  const context = (signal) => {
    const unavailable = (name) => async () => { throw new Error(`ctx.ui.${name} is not available: nobody watches the run`); };
    const nothing = () => {};
    const ui = { notify: (text) => internal.line(String(text)), setStatus: nothing, setWidget: nothing, setTitle: nothing, setWorkingMessage: nothing, setHeader: nothing, setFooter: nothing };
    for (const name of ["select", "confirm", "input", "editor", "custom"]) ui[name] = unavailable(name);
    return {
      cwd: host.cwd, hasUI: false, ui, signal, model: undefined, isIdle: () => false, hasPendingMessages: () => false, abort: nothing, shutdown: nothing,
      getContextUsage: () => undefined, compact: nothing, getSystemPrompt: () => "",
    };
  };

  const execute = async (call, tool, toolCallId, parameters) => {
    const controller = new AbortController();
    running.set(call, controller);
    const onUpdate = (partial) => {
      if (running.get(call) === controller) host.update(call, toJson(toOutcome(partial).content));
    };
    const { definition } = tool;
    const params = typeof definition.prepareArguments === "function" ? definition.prepareArguments(parameters) : parameters;
    const { signal } = controller;
    const result = await (takesOnlyParams(tool.execute)
      ? tool.execute.call(definition, params)
      : tool.execute.call(definition, toolCallId, params, signal, onUpdate, context(signal)));
    return toJson(toOutcome(result));
  };

  return {
    load(entry) {
      const registered = async () => {
        const module = await import(entry);
        const main = typeof module.default === "function" ? module.default : module.default?.default;
        if (typeof main !== "function") throw new TypeError("the entry module has no default export that is a function");
        await main(extension(tools, internal));
        return toJson([...tools.values()].map(({ name, description, parameters }) => ({ name, description, parameters })));
      };
      registered().then((json) => host.settle(undefined, true, json), (error) => host.settle(undefined, false, failure(error)));
    },
    invoke(call, name, toolCallId, json) {
      const tool = tools.get(name);
      if (!tool) return host.settle(call, false, `the tool '${name}' is not registered any more`);
      const end = (isOk, text) => {
        running.delete(call);
        host.settle(call, isOk, text);
      };
      execute(call, tool, toolCallId, JSON.parse(json)).then((text) => end(true, text), (error) => end(false, failure(error)));
    },
    abort(call, name) {
      const controller = running.get(call);
      running.delete(call);
      controller?.abort(new DOMException(name === "TimeoutError" ? "The call timed out" : "The call was cancelled", name));
    },
    awaitsAbort(call) {
      const controller = running.get(call);
      return controller !== undefined && internal.listenerCount(controller.signal, "abort") > 0;
    },
    fired: internal.fired,
    fetched: internal.fetched,
  };
})
