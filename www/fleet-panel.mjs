// The cluster's page as the end-to-end test uses it: one method for each thing a person can press or read. No assertions.

export class FleetPanel {
  constructor(page) {
    this.page = page;
  }

  #node(id) {
    return this.page.locator(`.node[data-id="${id}"]`);
  }

  press(id, button) {
    return this.#node(id).getByRole("button", { name: button }).click();
  }

  /** Until the breaker of a node is in one of these states. */
  until(id, ...states) {
    return this.page.locator(states.map((state) => `.node[data-id="${id}"][data-breaker="${state}"]`).join(", ")).waitFor();
  }

  /** Share of the answers of the last seconds, in percent. */
  async share(id) {
    return parseInt(await this.#node(id).locator(".node-percent").innerText(), 10);
  }

  /** Until the shares of all nodes, by id, are as wanted. */
  async untilShares(wanted) {
    for (const end = Date.now() + 60_000; ; ) {
      const ids = await this.nodes();
      const shares = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await this.share(id)])));
      if (wanted(shares)) return;
      if (Date.now() > end) throw new Error(`the shares are still ${JSON.stringify(shares)}`);
      await this.page.waitForTimeout(250);
    }
  }

  async nodes() {
    return this.page.locator(".node").evaluateAll((nodes) => nodes.map(({ dataset }) => dataset.id));
  }

  word() {
    return this.page.locator(".traffic-word").innerText();
  }

  untilWord(word) {
    return this.page.locator(".traffic-word", { hasText: word }).waitFor();
  }

  /** One of the numbers above the chart. */
  async figure(name) {
    const fact = this.page.locator(".traffic-facts .fact", { has: this.page.locator("dt", { hasText: new RegExp(`^${name}$`) }) });
    return parseFloat((await fact.locator(".fact-value").innerText()).replaceAll(/[^\d.]/g, ""));
  }

  /** Calls that were made since the strategy was chosen. */
  async calls() {
    const note = this.page.locator(".traffic-facts .fact-note", { hasText: /in all$/ });
    return parseInt((await note.innerText()).replaceAll(/\D/g, ""), 10);
  }

  choose(strategy) {
    return this.page.locator(".traffic-controls select").selectOption(strategy);
  }

  /** What the log says of calls that failed. */
  failures() {
    const isCall = this.page.locator(".log-kind", { hasText: /^call$/ });
    return this.page.locator(".log-entry", { has: isCall }).locator(".log-text").allInnerTexts();
  }

  screenshot(path) {
    return this.page.screenshot({ path, fullPage: true, animations: "disabled" });
  }
}
