// The front page, as its users see it.
export class RecommendationsPage {
  constructor(page) {
    this.page = page;
    this.heading = page.locator('h1');
    this.button = page.getByRole('button', { name: 'Pizza, Please!' });
    this.recommendations = page.locator('div#recommendations');
  }
  async goto(baseURL) {
    await this.page.goto(baseURL);
  }
  async askForPizza() {
    await this.button.click();
    await this.recommendations.waitFor();
  }
  headingText() {
    return this.heading.textContent();
  }
  recommendationsText() {
    return this.recommendations.textContent();
  }
}
