import { describe, expect, test } from 'vitest';
import { tax } from './cart.js';
let n = 0;
describe('cart', () => {
  test('adds', () => { expect(1 + 1).toBe(2); });
  test('tax', () => { expect(tax(1)).toBe(7); });
  test('flaky', { retry: 2 }, () => { n += 1; expect(n).toBeGreaterThan(1); });
  test.skip('later', () => {});
});
