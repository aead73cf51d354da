const socket = new WebSocket(`wss://${location.host}/live`);
const feed = document.getElementById('feed');

socket.onmessage = (event) => {
  const vote = JSON.parse(event.data);
  const line = document.createElement('p');
  line.append(vote.name, ' chose ', vote.choice);
  feed.prepend(line);
};
