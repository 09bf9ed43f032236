"""What root may do on a bench whose files a lesser user can write."""
