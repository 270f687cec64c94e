// Drives node-postgres unchanged: what came of each step, as one JSON object. Arguments: host, port, the credential.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEER_PREFIX}/node_modules/`);
const { Pool } = require("pg");
const [host, port, password] = process.argv.slice(2);
const pool = new Pool({ host, port: Number(port), user: "remit", database: "shop", password, max: 2 });
const told = {};
told.read = Number((await pool.query("select total from orders where id = $1", [4])).rows[0].total);
told.rows = (await pool.query({ name: "by-customer", text: "select * from orders where customer_id = $1", values: [1] })).rowCount;
await pool.query("insert into refunds (order_id, amount) values ($1, $2)", [7, 12]);
try {
  await pool.query("insert into refunds (order_id, amount) values ($1, $2)", [7, 51]);
} catch (why) {
  told.refused = [why.code, why.detail];
}
const client = await pool.connect();
try {
  await client.query("begin");
  await client.query("update notes set body = 'gone' where id = 1");
  await client.query("select pay from hr.pay");
} catch (why) {
  told.undone = why.code;
  await client.query("rollback");
}
told.body = (await client.query("select body from notes where id = 1")).rows[0].body;
client.release();
await pool.end();
process.stdout.write(JSON.stringify(told));
