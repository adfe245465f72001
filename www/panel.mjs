// The demo page as the end-to-end test uses it: one method for each thing a person can press or read. No assertions.

export class Panel {
  constructor(page) {
    this.page = page;
    this.link = page.locator(".link");
  }

  /** Chooses a server by its tab; its panel is then the only one on the page. */
  async open(name) {
    await this.page.locator(`#tab-${name}`).click();
    await this.page.locator(".tool-choice").first().waitFor();
  }

  untilState(state) {
    return this.page.locator(`.link[data-state="${state}"]`).waitFor({ timeout: 30_000 });
  }

  fact(name) {
    return this.#fact(name).locator(".fact-value").innerText();
  }

  factNote(name) {
    return this.#fact(name).locator(".fact-note").innerText();
  }

  #fact(name) {
    return this.link.locator(".fact", { has: this.page.locator("dt", { hasText: new RegExp(`^${name}$`) }) });
  }

  tools() {
    return this.page.locator(".tool-choice").count();
  }

  /** From now on remembers the fewest tools shown and whether the state was ever another than ready. */
  watchTools() {
    return this.page.evaluate(() => {
      window.watched?.observer.disconnect();
      const watched = { fewest: Infinity, left: false };
      const look = () => {
        watched.fewest = Math.min(watched.fewest, document.querySelectorAll(".tool-choice").length);
        watched.left ||= document.querySelector(".link")?.dataset.state !== "ready";
      };
      watched.observer = new MutationObserver(look);
      watched.observer.observe(document.body, { subtree: true, childList: true, attributes: true });
      window.watched = watched;
      look();
    });
  }

  fewestTools() {
    return this.page.evaluate(() => window.watched.fewest);
  }

  everLeftReady() {
    return this.page.evaluate(() => window.watched.left);
  }

  /** Fills the tool's form and submits it; resolves with the id of the new call. */
  async call(tool, args) {
    await this.page.locator(".tool-choice", { hasText: new RegExp(`^${tool}$`) }).click();
    for (const [name, value] of Object.entries(args)) {
      await this.page.locator(`.form [name="${name}"]`).fill(String(value));
    }
    const before = await this.#newest();
    await this.page.locator(".form button[type=submit]").click();
    await this.page.waitForFunction((id) => Number(document.querySelector(".call")?.dataset.id ?? 0) > id, before);
    return this.#newest();
  }

  #newest() {
    return this.page.evaluate(() => Number(document.querySelector(".call")?.dataset.id ?? 0));
  }

  #call(id) {
    return this.page.locator(`.call[data-id="${id}"]`);
  }

  status(id) {
    return this.#call(id).getAttribute("data-status");
  }

  text(id) {
    return this.#call(id).innerText();
  }

  async untilEnded(id) {
    await this.page.locator(`.call[data-id="${id}"]:not([data-status="pending"])`).waitFor();
    return this.status(id);
  }

  untilProgress(id) {
    return this.#call(id).locator("progress").waitFor();
  }

  /** The different values that the progress bar shows until the call has ended. */
  progressValues(id) {
    return this.page.evaluate(
      (id) =>
        new Promise((resolve) => {
          const seen = [];
          const timer = setInterval(() => {
            const call = document.querySelector(`.call[data-id="${id}"]`);
            const value = call?.querySelector("progress")?.value;
            if (value !== undefined && value !== seen.at(-1)) seen.push(value);
            if (call?.dataset.status === "pending") return;
            clearInterval(timer);
            resolve(seen);
          }, 20);
        }),
      id,
    );
  }

  cancel(id) {
    return this.#call(id).getByRole("button", { name: "Cancel" }).click();
  }

  /** Of a call that waits. */
  prioritise(id, level) {
    return this.#call(id).locator(".call-priority").selectOption(level);
  }

  /** Until the metrics have a duration under this name; they are drawn anew twice a second. */
  untilMeasured(name) {
    const rows = this.page.locator(".figures > div", { has: this.page.locator("dt", { hasText: new RegExp(`^${name}$`) }) });
    return rows.locator("dd", { hasText: /^[\d.]+ m?s$/ }).waitFor();
  }

  async cut(howLong) {
    await this.link.locator(".controls select").selectOption({ label: howLong });
    await this.link.getByRole("button", { name: "Cut the link" }).click();
  }

  /** Presses the button and waits for the log to say that the server runs again. */
  async restart() {
    await this.page.evaluate(() => (window.watched.left = false));
    const started = this.page.locator(".log-text", { hasText: "server started again" });
    const before = await started.count();
    await this.link.getByRole("button", { name: "Restart the server" }).click();
    await started.nth(before).waitFor({ timeout: 30_000 });
  }

  async readFirstResource() {
    const resource = this.page.locator(".resource").first();
    await resource.getByRole("button").click();
    return resource.locator(".text").innerText();
  }

  /** Whether the latency chart shows an outage. */
  async outageShown() {
    return (await this.page.locator(".chart-gap rect").count()) > 0;
  }

  /** Why there is no link, as the panel tells it: code, what happened, what to do. */
  trouble() {
    return this.link.locator(".trouble p").allInnerTexts();
  }

  /** The whole page, with its transitions at their end. */
  async screenshot(path) {
    // After a change of size a tall page is painted in parts.
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    return this.page.screenshot({ path, fullPage: true, animations: "disabled" });
  }

  background() {
    return this.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  }
}
