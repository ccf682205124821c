// Package dashboard holds the web page of the admin address: files in the
// binary, served as they are. The page holds nothing of any account; it asks
// the admin address beside it for that, with the token that its reader gives
// it. Begin with [Pages].
//
// page/uplot.js and page/uplot.css are uPlot 1.6.32 as it is published (the
// minified build), under the licence beside them.
package dashboard
