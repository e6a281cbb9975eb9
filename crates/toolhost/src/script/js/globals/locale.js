// Number.prototype.toLocaleString as in en-US; there is no Intl.
(function (host, internal) {
  "use strict";
  const clamp = (value, fallback) => (Number.isInteger(value) && value >= 0 && value <= 20 ? value : fallback);
  const group = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
  const format = (value, options = {}) => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "-∞" : "∞";
    const isPercent = options.style === "percent";
    const least = clamp(options.minimumFractionDigits, 0);
    const most = Math.max(least, clamp(options.maximumFractionDigits, isPercent ? least : Math.max(least, 3)));
    const [whole, fraction = ""] = Math.abs(isPercent ? value * 100 : value).toFixed(most).split(".");
    let end = fraction.length;
    while (end > least && fraction[end - 1] === "0") end -= 1;
    const digits = (options.useGrouping === false ? whole : group(whole)) + (end > 0 ? `.${fraction.slice(0, end)}` : "");
    const isZero = !/[1-9]/.test(digits);
    const currency = options.style === "currency" ? `${options.currency === "USD" ? "$" : `${options.currency} `}` : "";
    return `${value < 0 && !isZero ? "-" : ""}${currency}${digits}${isPercent ? "%" : ""}`;
  };
  Object.defineProperty(Number.prototype, "toLocaleString", {
    value(locales, options) {
      const settings = { ...options };
      if (settings.style === "currency") settings.minimumFractionDigits ??= 2;
      const fraction = settings.style === "currency" ? { maximumFractionDigits: settings.minimumFractionDigits, ...settings } : settings;
      return Math.abs(this) >= 1e21 ? String(this) : format(Number(this), fraction);
    },
    writable: true, configurable: true,
  });
  Object.defineProperty(BigInt.prototype, "toLocaleString", {
    value() { return this < 0n ? `-${group((-this).toString())}` : group(this.toString()); },
    writable: true, configurable: true,
  });
})
