// A client by Node's ws. Arguments: URL, number of lines. Prints the log's text.

const WebSocket = require("ws");

const [url, count] = process.argv.slice(2);
const socket = new WebSocket(url);
let lines = 0;
socket.on("message", (data) => {
  const text = data.toString();
  if (text === "ping") {
    socket.send("pong");
    return;
  }
  lines += text.split("\n").length - 1;
  process.stdout.write(text);
  if (lines >= Number(count)) socket.close();
});
socket.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
