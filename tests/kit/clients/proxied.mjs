// A program that knows nothing of any of this: it asks an API by fetch. Prints JSON.
const base = process.argv[2];

async function ask(url, more) {
  try {
    const answer = await fetch(url, more);
    await answer.text();
    return answer.status;
  } catch (fault) {
    return fault.name;
  }
}

const post = { method: "POST", headers: { "content-type": "application/json" }, body: '{"order":"o-1","amount":5}' };
console.log(JSON.stringify([
  await ask(`${base}/orders/o-1`),
  await ask(`${base}/refunds`, post),
  await ask("https://evil.test/"),
]));
