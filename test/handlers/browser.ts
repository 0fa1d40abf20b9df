/** A browser as far as a login needs one: it keeps cookies, follows redirects, and presses a button. */
export interface Browser {
  /**
   * Opens a link, answers the question it leads to, and returns the address that the login ends on, which it does not
   * open.
   */
  login(link: string, answer: 'allow' | 'deny', end: string): Promise<URL>;
}

export function newBrowser(): Browser {
  const cookies = new Map<string, string>();

  async function request(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: form }),
    });
    for (const line of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return reply;
  }

  return {
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
