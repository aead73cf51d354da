const params = new URLSearchParams(window.location.search);
const player = params.get('player') || 'You';

function showScore(score) {
  const box = document.querySelector('#score');
  box.innerHTML = `<strong>${player}</strong> has ${score} points`;
}

showScore(0);
