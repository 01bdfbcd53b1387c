// Shapes of load with a name, for `options.stages`.
export const smoke = { vus: 1, duration: '3s' };

export const average = [
  { duration: '2s', target: 3 },
  { duration: '4s', target: 3 },
  { duration: '1s', target: 0 },
];

export const stress = [
  { duration: '2s', target: 10 },
  { duration: '4s', target: 10 },
  { duration: '1s', target: 0 },
];
