import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@mariozechner/pi-ai";

/** Returns the structured result of the run. The host reads the line from standard output. */
export default function (pi: ExtensionAPI) {
  pi.registerTool({
    name: "output",
    label: "Output",
    description:
      "Returns the structured result of the run. Call it before you finish: what is not passed here does not reach the caller. Several calls are merged deeply, later values win.",
    parameters: Type.Object({
      data: Type.Unsafe<Record<string, unknown>>({
        type: "object",
        description: "The result, or a part of it, as the output schema of the agent describes it.",
      }),
    }),
    async execute(_toolCallId, params, _signal, _onUpdate, _ctx) {
      process.stdout.write(`${JSON.stringify({ type: "output", data: params.data })}\n`);
      return {
        content: [{ type: "text", text: "Output recorded." }],
        details: { keys: Object.keys(params.data) },
      };
    },
  });
}
