const socket = new WebSocket(`wss://${location.host}/chat`);
const list = document.getElementById('messages');

socket.addEventListener('message', (event) => {
  const message = JSON.parse(event.data);
  list.innerHTML += '<li><b>' + message.from + '</b>: ' + message.text + '</li>';
});
