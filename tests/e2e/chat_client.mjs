// The guide's browser client, run by Node's own WebSocket: says hello, prints what it receives, closes.
const ws = new WebSocket(process.argv[2]);
const received = [];

ws.onopen = () => {
  ws.send('Hello server!');
};

ws.onmessage = (event) => {
  received.push(event.data);
  if (received.length === 2) ws.close(1000, 'done');
};

ws.onclose = (event) => {
  console.log(JSON.stringify({ received, code: event.code, clean: event.wasClean }));
};

ws.onerror = () => {
  console.error('WebSocket error');
  process.exitCode = 1;
};
