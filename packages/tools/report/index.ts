import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@mariozechner/pi-ai";

/** Adds text to the report of the run. The host reads the line from standard output. */
export default function (pi: ExtensionAPI) {
  pi.registerTool({
    name: "report",
    label: "Report",
    description:
      "Adds Markdown to the report of the run, which people read. Call it before you finish. Several calls are joined with a blank line between them.",
    parameters: Type.Object({
      content: Type.String({ description: "Markdown." }),
    }),
    async execute(_toolCallId, params, _signal, _onUpdate, _ctx) {
      process.stdout.write(`${JSON.stringify({ type: "report", content: params.content })}\n`);
      return {
        content: [{ type: "text", text: "Report recorded." }],
        details: { length: params.content.length },
      };
    },
  });
}
