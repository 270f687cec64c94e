// A program that speaks over a WebSocket with the one that Node.js has: prints what it heard as JSON.
const socket = new WebSocket(process.argv[2]);
const heard = [];
socket.onmessage = (said) => {
  heard.push(said.data);
  socket.send(heard.length === 1 ? "hello" : "bye");
};
socket.onclose = (closed) => console.log(JSON.stringify([...heard, closed.code]));
socket.onerror = (fault) => console.error(fault.message);
