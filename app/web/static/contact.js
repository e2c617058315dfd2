// The stream of news from the server: reconnects by itself, more slowly each time, and tells when it last heard.

const LONGEST_DELAY = 30_000;

export class Contact {
  /** `onNews` gets each message; silence of `patience` milliseconds counts as a broken connection. */
  constructor(address, patience, onNews) {
    this.address = address;
    this.patience = patience;
    this.onNews = onNews;
    this.heard = Date.now();
    this.attempts = 0;
    this.open();
  }

  open() {
    this.waiting = false;
    this.opened = Date.now();
    this.source = new EventSource(this.address);
    this.source.onmessage = (event) => {
      this.heard = Date.now();
      this.attempts = 0;
      this.onNews(JSON.parse(event.data));
    };
    this.source.onerror = () => this.retry();
  }

  retry() {
    this.source.close();
    if (this.waiting) return;
    this.waiting = true;
    const delay = Math.min(1000 * 2 ** this.attempts++, LONGEST_DELAY);
    setTimeout(() => this.open(), delay * (0.5 + Math.random() / 2));
  }

  /** Call it now and then: gives up a connection that has gone silent. */
  check() {
    if (!this.waiting && Date.now() - Math.max(this.heard, this.opened) > this.patience) this.retry();
  }

  get lost() {
    return Date.now() - this.heard > this.patience;
  }
}
