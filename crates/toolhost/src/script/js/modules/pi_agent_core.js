// @mariozechner/pi-agent-core: tools import only types from it.
export class Agent {
  constructor() { throw new Error("Agent of @mariozechner/pi-agent-core is not available in the tool runtime"); }
}
