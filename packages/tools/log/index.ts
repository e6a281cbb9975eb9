import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@mariozechner/pi-ai";

/** Writes one line to the log of the run. The host reads the line from standard output. */
export default function (pi: ExtensionAPI) {
  pi.registerTool({
    name: "log",
    label: "Log",
    description:
      "Writes one line to the log of the run, where the people who started it follow its progress. Use it for milestones and for things that went wrong, not for every step.",
    parameters: Type.Object({
      level: Type.Union([Type.Literal("info"), Type.Literal("warn"), Type.Literal("error")], {
        description: "info: progress; warn: odd but handled; error: something failed.",
      }),
      message: Type.String({ description: "One sentence." }),
      data: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: "object", description: "Details as JSON, if any." })),
    }),
    async execute(_toolCallId, params, _signal, _onUpdate, _ctx) {
      process.stdout.write(`${JSON.stringify({ type: "log", level: params.level, message: params.message, data: params.data })}\n`);
      return {
        content: [{ type: "text", text: "Logged." }],
        details: { level: params.level },
      };
    },
  });
}
