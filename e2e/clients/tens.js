// inTens does work for each item, ten at once, and returns the results in order.
exports.inTens = async (items, work) => {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]);
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  return results;
};
