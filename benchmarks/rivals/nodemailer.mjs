// nodemailer with a pool of 20 connections. usage: node nodemailer.mjs PORT OCTETS COUNT; prints its seconds and seconds of CPU
import nodemailer from "nodemailer";

const [port, octets, count] = process.argv.slice(2).map(Number);
const line = "Some words of a letter, by the sea, that go on for about as long as a line of a mail does.\n";
const text = line.repeat(Math.floor(octets / 4 / line.length));
const html = `<p style='margin:0'>${line}</p>`.repeat(Math.floor((octets * 3) / 4 / (line.length + 27)));
const pool = nodemailer.createTransport({
  host: "127.0.0.1", port, pool: true, maxConnections: 20, maxMessages: Infinity, ignoreTLS: true,
});

let number = 0;
async function connection() {
  while (number < count) {
    const reader = number++;
    await pool.sendMail({
      from: "News <news@example.org>",
      to: `Reader Number${reader} <reader${reader}@d${reader % 5000}.example.net>`,
      subject: "A long letter, of the size that letters have",
      headers: { "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" },
      list: { unsubscribe: `https://news.example.org/u/${reader}`, id: { url: "main.example.org", comment: "News" } },
      text: `Hello Reader Number${reader},\n${text}`,
      html: `<p>Hello Reader Number${reader},</p>\n${html}`,
    });
  }
}
const began = performance.now(), used = process.cpuUsage();
await Promise.all(Array.from({ length: 20 }, connection));
const { user, system } = process.cpuUsage(used);
console.log((performance.now() - began) / 1e3, (user + system) / 1e6);
pool.close();
