const WEDDING_DAY = new Date('2032-06-12T15:00:00');

function tick() {
  const box = document.getElementById('countdown');
  if (!box) return;
  let seconds = Math.max(0, Math.floor((WEDDING_DAY - Date.now()) / 1000));
  for (const [unit, size] of [['days', 86400], ['hours', 3600], ['minutes', 60], ['seconds', 1]]) {
    box.querySelector(`[data-unit=${unit}]`).textContent = Math.floor(seconds / size);
    seconds %= size;
  }
}

tick();
setInterval(tick, 1000);

document.getElementById('rsvp')?.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const preview = document.getElementById('preview');
  preview.textContent = `Hello you two!\n\n${form.get('guests')} of us will be there.\nDinner: ${form.get('dinner')}\n\nLove, ${form.get('name')}`;
  preview.hidden = false;
});
