// Loaded into an agent process by node --import: gives it a bug, at the moment of a signal.
process.on('SIGUSR2', () => {
  const fault = new Error('a bug that nobody handles');
  if (process.env.TEST_FAULT === 'rejection') void Promise.reject(fault);
  else
    setImmediate(() => {
      throw fault;
    });
});
