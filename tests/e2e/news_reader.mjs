// Reads a room with the client of worpen.v1 until it hears "end", and prints all that it was told.
import { pathToFileURL } from 'node:url';

const { connect } = await import(pathToFileURL(process.argv[2]).href);
const told = [];

let client;
try {
  client = connect(process.argv[3], {
    base: 2,
    cap: 10,
    patience: 500,
    onopen: ({ again }) => told.push(again ? 'again' : 'open'),
    onlost: ({ channel, missed }) => told.push({ lost: missed, channel }),
    onrecovered: ({ messages }) => told.push({ recovered: messages }),
    onclose: ({ code, delay }) => {
      told.push({ closed: code, again: delay !== null });
      if (delay === null) console.log(JSON.stringify(told));
    },
    onmessage: ({ data, offset }) => {
      if (data === 'end') client.close();
      else told.push(typeof data === 'string' ? [data, offset] : { bytes: [...data] });
    },
  });
  client.send('too early');
} catch (error) {
  told.push(error.message);
}
