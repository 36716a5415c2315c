/// GraphiQL as somebody sits before it.

import assert from "node:assert/strict";

export class Page {
  /// Opens a URL in a new tab of the browser.
  static async open(context, url) {
    const page = new Page();
    page.page = await context.newPage();
    await page.page.goto(url);
    return page;
  }

  /// Who the menu says one is. Then GraphiQL is there, and can be used.
  async expectSignedInAs(label) {
    const chosen = this.page.locator(".anteroom-menu option:checked", { hasText: label });
    await chosen.waitFor({ state: "attached" });
    await this.#expectOperation(/\w/);
  }

  async switchTo(label) {
    await this.page.locator(".anteroom-menu select").selectOption({ label });
  }

  async openTab(name) {
    // The name of the tab that is shown goes on with the button that closes it.
    await this.page.getByRole("tab", { name: new RegExp(`^${name}\\b`) }).click();
    await this.#expectOperation(name);
  }

  async #expectOperation(text) {
    await this.page.locator('section[aria-label="Operation Editor"] .view-line', { hasText: text }).first().waitFor();
    // GraphiQL learns the operations of a document a moment after it is shown, and says nowhere that it has.
    await this.page.waitForTimeout(1_000);
  }

  async run() {
    await this.page.locator("button.graphiql-execute-button").click();
  }

  /// Runs one operation of a document that has several.
  async runOperation(name) {
    await this.run();
    await this.page.getByRole("menuitem", { name, exact: true }).click();
  }

  /// Runs the only operation of a document, or the one of this name, and answers what the server did.
  async ask(name) {
    const isAnswer = (response) => response.request().method() === "POST" && response.url().endsWith("/graphql");
    const answered = this.page.waitForResponse(isAnswer);
    await (name ? this.runOperation(name) : this.run());
    const { data, errors } = await (await answered).json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  }

  /// What the editor of variables holds.
  async variables() {
    const lines = this.page.locator('section[aria-label="Variables"] .view-line');
    await lines.filter({ hasText: "}" }).waitFor();
    return JSON.parse((await lines.allInnerTexts()).join("").replaceAll("\u00a0", " "));
  }

  async setVariables(variables) {
    await this.page.locator('section[aria-label="Variables"] .view-lines').click();
    await this.page.keyboard.press("ControlOrMeta+A");
    await this.page.keyboard.insertText(JSON.stringify(variables));
    // The editor closes what was opened; the text has done so itself.
    await this.page.keyboard.press("ControlOrMeta+Shift+End");
    await this.page.keyboard.press("Delete");
  }

  /// Waits until the answer contains a text.
  async expectAnswer(text) {
    const lines = this.page.locator('section[aria-label="Result Window"] .view-lines');
    await lines.filter({ hasText: text }).waitFor();
  }

  async expectStatus(pattern) {
    await this.page.locator('.anteroom-live [role="status"]', { hasText: pattern }).waitFor();
  }

  /// What the live log shows, by kind, without the times.
  async log(kind) {
    const lines = await this.page.locator(`.anteroom-live li[data-kind="${kind}"]`).allInnerTexts();
    return lines.map((line) => line.replace(/^[\d:]+\s+/, ""));
  }

  async expectLogged(text) {
    await this.page.locator('.anteroom-live li[data-kind="event"]', { hasText: text }).waitFor();
  }

  /// What is said about the token.
  async expectProblem(text) {
    await this.page.getByRole("alert").filter({ hasText: text }).waitFor();
  }

  /// The token is in the tab's own storage, and nowhere else.
  async expectTokenHidden(token) {
    assert.ok(!this.page.url().includes(token) && !this.page.url().includes("#"), "it left the address bar");
    const [own, lasting, cookie] = await this.page.evaluate(() => [
      JSON.stringify(sessionStorage),
      JSON.stringify(localStorage),
      document.cookie,
    ]);
    assert.ok(own.includes(token), "it is kept for the tab");
    assert.ok(!lasting.includes(token) && cookie === "", "it does not outlive the tab");
  }
}
