// The extension API that a tool's default export receives: registration works, what has no meaning here is harmless or says so.
(function (tools, internal) {
  "use strict";
  const unavailable = (name) => () => { throw new Error(`pi.${name} is not available in the tool runtime`); };
  const rejected = (name) => async () => { throw new Error(`pi.${name} is not available in the tool runtime`); };
  const nothing = () => {};

  const registerTool = (definition) => {
    if (typeof definition !== "object" || definition === null) throw new TypeError("registerTool needs a tool definition");
    const { name, description, label, parameters, execute } = definition;
    if (typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw new TypeError(`a tool's name consists of 1 to 64 letters, digits, '_' and '-', not ${internal.inspect(name)}`);
    }
    if (typeof execute !== "function") throw new TypeError(`the tool '${name}' has no execute function`);
    if (tools.has(name)) throw new Error(`the tool '${name}' is registered twice`);
    const schema = parameters ?? definition.inputSchema ?? { type: "object", properties: {} };
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) throw new TypeError(`the parameters of the tool '${name}' are no JSON Schema`);
    const plain = JSON.parse(JSON.stringify(schema));
    tools.set(name, { name, description: String(description ?? label ?? ""), parameters: plain, definition, execute });
  };

  const listeners = new Map();
  const events = {
    on(event, handler) {
      listeners.set(event, [...(listeners.get(event) ?? []), handler]);
      return () => listeners.set(event, (listeners.get(event) ?? []).filter((known) => known !== handler));
    },
    emit(event, data) {
      for (const handler of listeners.get(event) ?? []) handler(data);
    },
  };

  return {
    registerTool, events, on: nothing,
    registerCommand: nothing, registerShortcut: nothing, registerFlag: nothing, registerMessageRenderer: nothing, registerProvider: nothing,
    unregisterProvider: nothing, getFlag: () => undefined, getCommands: () => [],
    exec: rejected("exec"), sendMessage: unavailable("sendMessage"), sendUserMessage: unavailable("sendUserMessage"), appendEntry: unavailable("appendEntry"),
    getActiveTools: () => [...tools.keys()], getAllTools: () => [...tools.values()].map(({ name, description }) => ({ name, description })),
    setActiveTools: nothing, setModel: async () => false, getThinkingLevel: () => "off", setThinkingLevel: nothing,
    getSessionName: () => undefined, setSessionName: nothing, setLabel: nothing,
  };
})
