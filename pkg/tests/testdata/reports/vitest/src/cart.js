export function tax(n) {
  if (n > 100) {
    return 1;
  }
  return 9;
}
