/** A browser as far as a login needs one: it keeps cookies, host by host, follows redirects, and presses a button. */
interface Browser {
  /** Opens an address, and follows no redirect. */
  open(url: string): Promise<Response>;
  /** Opens a link of the broker's, and returns where its page leads: to the provider's login. */
  begin(link: string): Promise<string>;
  /** Opens an address, answers the question it leads to, and returns where the login ends, which it does not open. */
  login(link: string, answer: 'allow' | 'deny', end: string): Promise<URL>;
}

export function newBrowser(): Browser {
  const cookies = new Map<string, Map<string, string>>();

  async function request(url: URL, form?: URLSearchParams): Promise<Response> {
    const own = cookies.get(url.host) ?? new Map<string, string>();
    cookies.set(url.host, own);
    const reply = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...own].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: form }),
    });
    for (const line of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') own.delete(name);
      else own.set(name, value);
    }
    return reply;
  }

  return {
    open: (url) => request(new URL(url)),

    async begin(link) {
      const html = await (await request(new URL(link))).text();
      const [, href] = /<a [^>]*href="([^"]*)"/.exec(html) ?? [];
      if (href === undefined) throw new Error(`the page leads nowhere: ${html}`);
      return href.replaceAll('&amp;', '&');
    },

    async login(link, answer, end) {
      let url = new URL(link);
      let form: URLSearchParams | undefined;
      for (let step = 0; step < 10; step += 1) {
        const reply = await request(url, form);
        form = undefined;
        const location = reply.headers.get('location');
        if (location === null) {
          const html = await reply.text();
          if (reply.status !== 200 || !html.includes(`value="${answer}"`))
            throw new Error(`${url.pathname} answered ${reply.status}: ${html}`);
          form = new URLSearchParams({ answer });
          continue;
        }
        url = new URL(location, url);
        if (url.href.startsWith(end)) return url;
      }
      throw new Error(`the login at ${link} does not end`);
    },
  };
}
