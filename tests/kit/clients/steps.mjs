// The steps that each client driver takes; steps.py says what they are and how they are told.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export const need = createRequire(`${process.env.PEER_PREFIX}/`);

const LIMIT = 20_000;

function tell(step, ok, text, isError = false, code = null) {
  process.stdout.write(JSON.stringify({ step, ok, isError, text, code }) + "\n");
}

function failed(step, fault) {
  const codes = [fault?.status, fault?.data?.status, fault?.code, fault?.cause?.code];
  const code = codes.find((value) => Number.isInteger(value)) ?? null;
  tell(step, false, `${fault?.name ?? "Error"}: ${fault?.message ?? fault}`, false, code);
}

function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), LIMIT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function take(step, client, script, version) {
  if (step === "connect") {
    tell(step, true, version(client));
  } else if (step === "list") {
    tell(step, true, JSON.stringify((await client.listTools()).tools.map((tool) => tool.name)));
  } else {
    const wanted = script[step === "denied" ? "denied" : "allowed"];
    const result = await client.callTool({ name: wanted.name, arguments: wanted.arguments });
    const text = result.content.filter((part) => part.type === "text").map((part) => part.text);
    tell(step, !result.isError, text.join("\n"), Boolean(result.isError));
  }
}

// open(url, token) gives a connected client; version(client) what it negotiated.
export async function run(open, version) {
  const [url, token, script] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
  const revoked = new Promise((resolve) => createInterface({ input: process.stdin }).once("line", resolve));
  let client = null;
  for (const step of ["connect", "list", "allowed", "denied", "revoked"]) {
    if (step === "revoked") await revoked;
    try {
      client ??= await within(open(url, token));
      await within(take(step, client, script, version));
    } catch (fault) {
      failed(step, fault);
    }
  }
  await client?.close().catch(() => {});
  process.exit(0);
}
