// Performance marks of a page, and the time between two of them.
export class Performance {
  constructor(page) {
    this.page = page;
  }
  async mark(name) {
    await this.page.evaluate((mark) => { window.performance.mark(mark); }, name);
  }
  between(from, to) {
    return this.page.evaluate((a, b) => window.performance.measure('between', a, b).duration, from, to);
  }
}
