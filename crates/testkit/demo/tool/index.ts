import { Type } from "@mariozechner/pi-ai";
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";

enum Verdict {
  Refund = "refund",
  Ask = "ask",
}

class Policy {
  constructor(
    private readonly days: number,
    private readonly limit: number,
  ) {}

  judge(amount: number, days: number): Verdict {
    return days <= this.days && amount <= this.limit ? Verdict.Refund : Verdict.Ask;
  }
}

const policy = new Policy(30, 500);

export default function (pi: ExtensionAPI) {
  pi.registerTool({
    name: "refund_policy",
    label: "Refund policy",
    description: "Says what the refund policy allows for an amount and a number of days since delivery.",
    parameters: Type.Object({ amount: Type.Number(), days: Type.Number() }),
    async execute(_toolCallId, params) {
      const verdict = policy.judge(params.amount, params.days);
      return { content: [{ type: "text", text: `The policy says: ${verdict}.` }], details: { verdict } };
    },
  });
}
