import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@mariozechner/pi-ai";

/** Keeps state for the next run. The host reads the line from standard output. */
export default function (pi: ExtensionAPI) {
  pi.registerTool({
    name: "set_state",
    label: "Set state",
    description:
      "Keeps a JSON object that the next run of this agent sees as its previous state. It replaces the state as a whole; the last call counts.",
    parameters: Type.Object({
      state: Type.Unsafe<Record<string, unknown>>({
        type: "object",
        description: "Everything that the next run needs, such as a cursor or the time of the last check.",
      }),
    }),
    async execute(_toolCallId, params, _signal, _onUpdate, _ctx) {
      process.stdout.write(`${JSON.stringify({ type: "set_state", state: params.state })}\n`);
      return {
        content: [{ type: "text", text: "State recorded." }],
        details: { keys: Object.keys(params.state) },
      };
    },
  });
}
