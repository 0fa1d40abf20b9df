// Plain JavaScript, so that a Node which cannot run TypeScript can still say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)) await import('./main.ts');
else {
  console.error(
    `The local broker needs Node.js 22.18 or newer; this is ${process.versions.node}. ` +
      'On Linux, and on Windows for x64, npm install brings a Node.js 24 along.',
  );
  process.exitCode = 1;
}
