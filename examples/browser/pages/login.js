// The administrators' page.
export class LoginPage {
  constructor(page) {
    this.page = page;
    this.signIn = page.getByRole('button', { name: 'Sign in' });
    this.logout = page.getByRole('button', { name: 'Logout' });
  }
  async goto(baseURL) {
    await this.page.goto(`${baseURL}/admin`, { waitUntil: 'networkidle' });
  }
  async login() {
    await this.signIn.click();
  }
  logoutText() {
    return this.logout.textContent();
  }
}
