// Loaded into an agent process by node --import: on a signal it causes an error like a bug would.
process.on('SIGUSR2', () => {
  const fault = new Error('a bug that nobody handles');
  if (process.env.TEST_FAULT === 'rejection') void Promise.reject(fault);
  else
    setImmediate(() => {
      throw fault;
    });
});
