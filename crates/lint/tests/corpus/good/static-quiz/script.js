const params = new URLSearchParams(window.location.search);
const player = params.get('player') || 'You';

function showScore(score) {
  const box = document.querySelector('#score');
  const name = document.createElement('strong');
  name.textContent = player;
  box.replaceChildren(name, ` has ${score} points`);
}

showScore(0);
