import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@mariozechner/pi-ai";

/** Remembers something for all later runs. The host reads the line from standard output. */
export default function (pi: ExtensionAPI) {
  pi.registerTool({
    name: "add_memory",
    label: "Add memory",
    description:
      "Remembers one fact for all later runs of this agent. With a key it replaces the memory that has the same key.",
    parameters: Type.Object({
      content: Type.String({ minLength: 1, maxLength: 2000, description: "One fact, in a sentence or two." }),
      key: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 128,
          description: "A name for the fact; a later memory with the same key replaces this one.",
        }),
      ),
    }),
    async execute(_toolCallId, params, _signal, _onUpdate, _ctx) {
      process.stdout.write(`${JSON.stringify({ type: "add_memory", content: params.content, key: params.key })}\n`);
      return {
        content: [{ type: "text", text: "Memory recorded." }],
        details: { key: params.key ?? null },
      };
    },
  });
}
