const socket = new WebSocket(`wss://${location.host}/live`);
const feed = document.getElementById('feed');

socket.onmessage = (event) => {
  const vote = JSON.parse(event.data);
  feed.insertAdjacentHTML('afterbegin', `<p><b>${vote.name}</b> chose ${vote.choice}</p>`);
};
