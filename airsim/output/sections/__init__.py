"""Pages and sections: every table, figure and sentence is built here once; html, excel and console print them."""
