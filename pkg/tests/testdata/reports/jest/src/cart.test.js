const { tax } = require('./cart');
let n = 0;
jest.retryTimes(2);
describe('cart', () => {
  test('adds', () => { expect(1 + 1).toBe(2); });
  test('tax', () => { expect(tax(1)).toBe(7); });
  test('flaky', () => { n += 1; expect(n).toBeGreaterThan(1); });
  test.skip('later', () => {});
});
