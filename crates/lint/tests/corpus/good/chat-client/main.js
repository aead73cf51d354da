const socket = new WebSocket(`wss://${location.host}/chat`);
const list = document.getElementById('messages');

socket.addEventListener('message', (event) => {
  const message = JSON.parse(event.data);
  const item = document.createElement('li');
  item.textContent = `${message.from}: ${message.text}`;
  list.append(item);
});
