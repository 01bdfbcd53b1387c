// A handful of coloured paper from the button. Nothing for those who asked for less motion.
const colours = ['#e4572e', '#f3a712', '#76b041', '#8b5cf6', '#17bebb'];

export function throwConfetti(from: HTMLElement): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const box = from.getBoundingClientRect();
  for (let i = 0; i < 36; i++) {
    const piece = document.createElement('i');
    piece.className = 'confetti';
    piece.setAttribute('aria-hidden', 'true');
    piece.style.left = `${box.left + box.width / 2}px`;
    piece.style.top = `${box.top + box.height / 2}px`;
    piece.style.background = colours[i % colours.length] ?? '#e4572e';
    document.body.append(piece);
    const angle = Math.random() * 2 * Math.PI;
    const reach = 80 + Math.random() * 180;
    const x = Math.cos(angle) * reach;
    const y = Math.sin(angle) * reach;
    piece
      .animate(
        [
          { transform: 'translate(0, 0)', opacity: 1 },
          { transform: `translate(${x}px, ${y - 60}px) rotate(${x}deg)`, opacity: 1, offset: 0.6 },
          { transform: `translate(${x * 1.1}px, ${y + 120}px) rotate(${x * 3}deg)`, opacity: 0 },
        ],
        { duration: 900 + Math.random() * 500, easing: 'ease-out' },
      )
      .finished.then(
        () => piece.remove(),
        () => piece.remove(),
      );
  }
}
