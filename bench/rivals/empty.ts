/** The floor of a function: it answers. */
export const handler = async () => ({ statusCode: 200, body: '{}' });
