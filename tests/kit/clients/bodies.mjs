// A program that sends a form, and a form with a file, by fetch. `bodies.mjs URL TOKEN`.
const [base, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const form = new URLSearchParams({ to: "acct-7", amount: "5", note: "two words" });
const files = new FormData();
files.append("title", "A cat");
files.append("photo", new Blob(["PNG"], { type: "image/png" }), "a.png");
const one = await fetch(`${base}/charges`, { method: "POST", body: form, headers });
const two = await fetch(`${base}/uploads`, { method: "POST", body: files, headers });
console.log(JSON.stringify([one.status, two.status]));
